// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {SCOPE_ANCHOR} from "../../src/interfaces/ICredentialRegistry.sol";
import {IRegistryErrors} from "../../src/interfaces/IRegistryErrors.sol";
import {vm} from "../Vm.sol";
import {Consent, Consents} from "../support/Consent.sol";
import {RegistryTest} from "../support/RegistryTest.sol";
import {Credential, Trees} from "../support/Trees.sol";

/// @title Attacks on batches, keys and issuers; each fails for the attacker
/// @dev `stranger` is who attacks where no stolen key does.
contract ThievesAndBatchesTest is RegistryTest {
    using Trees for Credential;

    uint32 private constant _SIZE = 4;

    bytes32[] private _leaves;
    bytes32 private _root;

    function setUp() public override {
        super.setUp();
        for (uint32 i = 0; i < _SIZE; ++i) {
            _leaves.push(_credential(i).leafOf());
        }
        _root = Trees.rootOf(_leaves);
        vm.warp(START + 100);
    }

    /// Defence: a leaf's preimage is 73 bytes that the contract hashes itself, a node's 64.
    function test_attack_nodeAsLeaf() public {
        _anchor(anchorKey, ISSUER, _root, _SIZE);
        bytes32[] memory nodes = Trees.levelAbove(_leaves);
        bytes32[] memory path = Trees.pathOf(nodes, 0);
        // As a credential's hash, the node is hashed once more, into a leaf that is not there.
        Credential memory forged = Credential({salt: 0, list: 0, statusIndex: 0, credentialHash: nodes[0]});
        _expectNotIncluded(forged.leafOf());
        _verify(forged, 0, path);
    }

    /// Defence: the size is the batch's, not the attacker's. Of a tree of two, the node would be a leaf.
    function test_attack_nodeAsLeafWithAnUnderstatedSize() public {
        _anchor(anchorKey, ISSUER, _root, _SIZE);
        bytes32[] memory nodes = Trees.levelAbove(_leaves);
        bytes32[] memory path = Trees.pathOf(nodes, 0);
        vm.assertTrue(registry.isIncluded(_root, nodes[0], 0, 2, path), "bare arithmetic cannot know");
        vm.assertFalse(registry.isIncluded(_root, nodes[0], 0, registry.batchOf(ISSUER, _root).size, path));
        // A true leaf with the path of a smaller tree.
        bytes32[] memory none = new bytes32[](0);
        _expectNotIncluded(_leaves[0]);
        _verify(_credential(0), 0, none);
    }

    /// Defence: records are kept by (issuer, root).
    function test_attack_anotherIssuerAnchorsMyRootFirst() public {
        _anchor(otherAnchorKey, OTHER_ISSUER, _root, 1);
        _anchor(anchorKey, ISSUER, _root, _SIZE);
        vm.assertEq(registry.batchOf(ISSUER, _root).key, anchorKey);
        vm.assertEq(registry.batchOf(ISSUER, _root).size, _SIZE);
        vm.assertEq(_verify(_credential(1), 1, Trees.pathOf(_leaves, 1)), START + 100);
        _audit();
    }

    /// A stolen key of mine anchors my next root first, with a wrong size. Defence: its anchoring is void, and made anew.
    function test_attack_thiefAnchorsMyRootFirst() public {
        _anchor(anchorKey, ISSUER, _root, 1);
        _compromiseKey(controller, anchorKey, START + 100);
        _addKey(controller, _consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK);
        _anchor(newKey, ISSUER, _root, _SIZE);
        vm.assertEq(_verify(_credential(3), 3, Trees.pathOf(_leaves, 3)), START + 100);
        _audit();
    }

    /// Defence: a key consents by its own signature, over issuer and all.
    function test_attack_bindingSomebodyElsesAddress() public {
        Consent memory consent = _consent(OTHER_ISSUER, newKey, SCOPE_ANCHOR, 0);
        // Signed by the attacker, who is another issuer's controller.
        bytes memory signature = Consents.sign(consent, OTHER_ANCHOR_PK, block.chainid, address(registry));
        _expectInvalidConsent(consent);
        _addKey(otherController, consent, signature);
        // The key's own consent to one issuer is none to another.
        signature = Consents.sign(_consent(ISSUER, newKey, SCOPE_ANCHOR, 0), NEW_PK, block.chainid, address(registry));
        _expectInvalidConsent(consent);
        _addKey(otherController, consent, signature);
        vm.assertEq(registry.keyOf(newKey).issuer, 0);
    }

    /// Defence: a DID belongs to one issuer for ever, also after its withdrawal.
    function test_attack_clonedDid() public {
        _withdraw(ISSUER, 0);
        vm.warp(START + 200);
        vm.expectRevert(
            abi.encodeWithSelector(IRegistryErrors.DidAlreadyAccredited.selector, keccak256(bytes(DID)), ISSUER)
        );
        _accredit(DID, stranger);
    }

    /// One credential in two batches. Defence: its status position is in the leaf, so its status is one; and the revocation
    /// of one batch, or of a like position of another issuer, is not that of the other.
    function test_attack_sameLeafRevokedInAnotherBatch() public {
        bytes32[] memory others = new bytes32[](2);
        (others[0], others[1]) = (_leaves[0], keccak256("another"));
        bytes32 second = Trees.rootOf(others);
        _anchor(anchorKey, ISSUER, _root, _SIZE);
        _anchor(anchorKey, ISSUER, second, 2);
        vm.prank(otherStatusKey);
        registry.revoke(OTHER_ISSUER, 0, _words(0), _masks(type(uint256).max), 1);
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, second, 1);
        bytes32[] memory path = Trees.pathOf(_leaves, 0);
        vm.assertEq(_verify(_credential(0), 0, path), START + 100);

        vm.prank(statusKey);
        registry.revoke(ISSUER, 0, _words(0), _masks(1), 1);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.CredentialRevoked.selector, ISSUER, 0, 0));
        _verify(_credential(0), 0, path);
        // Nor does claiming another position help: it gives another leaf.
        Credential memory moved = _credential(0);
        moved.statusIndex = 77;
        _expectNotIncluded(moved.leafOf());
        _verify(moved, 0, path);
        _audit();
    }

    /// Defence: a key ends with the second after its retirement, so that what it did in this block stays good.
    function test_attack_anchoringThenRetiringInOneBlock() public {
        _anchor(anchorKey, ISSUER, _root, _SIZE);
        _retireKey(controller, anchorKey);
        vm.assertEq(_verify(_credential(2), 2, Trees.pathOf(_leaves, 2)), START + 100);
        vm.warp(START + 101);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, anchorKey, START + 101));
        _anchor(anchorKey, ISSUER, keccak256("later"), 1);
        _audit();
    }

    /// The other order: until that second both readers of the rule agree that the key is good.
    function test_attack_retiringThenAnchoringInOneBlock() public {
        _retireKey(controller, anchorKey);
        _anchor(anchorKey, ISSUER, _root, _SIZE);
        vm.assertEq(registry.keyOf(anchorKey).validUntil, START + 101);
        vm.assertEq(_verify(_credential(2), 2, Trees.pathOf(_leaves, 2)), START + 100);
        _audit();
    }

    /// A controller that would void what its key did before it was a key, or undo a cut-off.
    function test_attack_compromiseBeforeValidFromOrMovedLater() public {
        vm.expectRevert(
            abi.encodeWithSelector(IRegistryErrors.CompromisedBeforeValid.selector, anchorKey, START - 1, START)
        );
        _compromiseKey(controller, anchorKey, START - 1);
        _anchor(anchorKey, ISSUER, _root, _SIZE);
        _compromiseKey(controller, anchorKey, START + 50);
        vm.warp(START + 300);
        for (uint40 since = START + 50; since <= START + 300; since += 125) {
            vm.expectRevert(
                abi.encodeWithSelector(IRegistryErrors.CutOffNotEarlier.selector, anchorKey, since, START + 50)
            );
            _compromiseKey(controller, anchorKey, since);
        }
        bytes32[] memory path = Trees.pathOf(_leaves, 0);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.KeyCutOff.selector, anchorKey, START + 50));
        _verify(_credential(0), 0, path);
        _audit();
    }

    /// An accreditor that would void what was anchored. Defence: an accreditation ends after the block, never before.
    function test_attack_withdrawalInThePast() public {
        _anchor(anchorKey, ISSUER, _root, _SIZE);
        for (uint40 at = START + 99; at <= START + 100; ++at) {
            vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.WithdrawalInPast.selector, at, START + 100));
            _withdraw(ISSUER, at);
        }
        _withdraw(ISSUER, 0);
        vm.assertEq(registry.issuerOf(ISSUER).withdrawnAt, START + 101);
        vm.warp(START + 500);
        vm.assertEq(_verify(_credential(2), 2, Trees.pathOf(_leaves, 2)), START + 100);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.IssuerWithdrawn.selector, ISSUER, START + 101));
        _withdraw(ISSUER, START + 501);
        _audit();
    }

    /// A thief that would revoke a root before it is anchored. Defence: there is nothing to revoke yet.
    function test_attack_revokeBatchOfNothing() public {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotAnchored.selector, ISSUER, _root));
        vm.prank(statusKey);
        registry.revokeBatch(ISSUER, _root, 1);
        _anchor(anchorKey, ISSUER, _root, _SIZE);
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotAnchored.selector, OTHER_ISSUER, _root));
        vm.prank(otherStatusKey);
        registry.revokeBatch(OTHER_ISSUER, _root, 1);
        vm.assertEq(_verify(_credential(2), 2, Trees.pathOf(_leaves, 2)), START + 100);
    }

    /// A bare root that begins with a view's selector is taken for that call. Defence: no record and no event come of it,
    /// so that nobody who looks for them believes it anchored.
    function test_attack_rootThatBeginsWithASelector() public {
        bytes4[4] memory selectors = [
            registry.issuerCount.selector,
            registry.registryHead.selector,
            registry.ACCREDITOR_ROLE.selector,
            registry.eip712Domain.selector
        ];
        _audit();
        for (uint256 i = 0; i < selectors.length; ++i) {
            bytes32 root = bytes32(selectors[i]) | bytes32(uint256(i + 1));
            bytes32 head = _headOf(ISSUER);
            vm.prank(anchorKey);
            (bool success,) = address(registry).call(bytes.concat(root));
            vm.assertTrue(success, "a view answers");
            vm.assertEq(registry.batchOf(ISSUER, root).anchoredAt, 0);
            vm.assertEq(_headOf(ISSUER), head);
            vm.assertEq(vm.getRecordedLogs().length, 0);
            // Called by its name, the same root is anchored.
            _anchor(anchorKey, ISSUER, root, 1);
            vm.assertEq(registry.batchOf(ISSUER, root).size, 1);
            _audit();
        }
    }

    function _credential(uint32 i) private pure returns (Credential memory) {
        return Credential({
            salt: keccak256(abi.encode("salt", i)),
            list: 0,
            statusIndex: i,
            credentialHash: keccak256(abi.encode("credential", i))
        });
    }

    function _verify(Credential memory credential, uint32 leafIndex, bytes32[] memory path)
        private
        view
        returns (uint40)
    {
        return registry.verify(
            ISSUER,
            _root,
            credential.salt,
            credential.list,
            credential.statusIndex,
            credential.credentialHash,
            leafIndex,
            path
        );
    }

    function _expectNotIncluded(bytes32 leaf) private {
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.NotIncluded.selector, _root, leaf));
    }

    function _expectInvalidConsent(Consent memory consent) private {
        bytes32 digest = Consents.digest(consent, block.chainid, address(registry));
        vm.expectRevert(abi.encodeWithSelector(IRegistryErrors.InvalidConsent.selector, consent.key, digest));
    }
}
