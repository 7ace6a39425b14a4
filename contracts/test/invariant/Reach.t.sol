// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {vm} from "../Vm.sol";
import {Handler} from "./handlers/Handler.sol";
import {IssuerHandler} from "./handlers/IssuerHandler.sol";
import {KeyHandler} from "./handlers/KeyHandler.sol";
import {RecoveryHandler} from "./handlers/RecoveryHandler.sol";
import {RelayHandler} from "./handlers/RelayHandler.sol";
import {Campaign} from "./Campaign.sol";

/// @title That the campaign reaches what it is about: every call succeeds for somebody, and is refused to somebody
/// @dev An invariant of a registry that nobody moves would hold, too.
contract ReachTest is Campaign {
    uint256 private constant _CALLS = 1200;

    function test_campaign_reachesEveryCall() public {
        bytes4[] memory selectors = _selectors();
        for (uint256 i = 0; i < _CALLS; ++i) {
            bytes32 random = keccak256(abi.encode(i));
            uint256 choice = uint256(random) % selectors.length;
            bytes memory seeds = abi.encode(_hash(random, 1), _hash(random, 2), _hash(random, 3), _hash(random, 4));
            seeds = bytes.concat(seeds, abi.encode(_hash(random, 5), _hash(random, 6)));
            (bool done,) = address(_handlerOf(choice)).call(bytes.concat(selectors[choice], seeds));
            vm.assertTrue(done, "a handler's call that it did not foresee");
        }
        _audit();
        for (uint256 i = 0; i < selectors.length; ++i) {
            (Handler handler, bytes4 selector) = (_handlerOf(i), selectors[i]);
            string memory place = string(abi.encodePacked("selector ", _digits(i)));
            vm.assertTrue(handler.done(selector) > 0 || _isNeverDone(selector), string.concat("never done: ", place));
            bool isRefused = handler.refused(selector) > 0 || _isNeverRefused(selector);
            vm.assertTrue(isRefused, string.concat("never refused: ", place));
        }
    }

    function _isNeverDone(bytes4 selector) private pure returns (bool) {
        return selector == IssuerHandler.rebindKey.selector || selector == RelayHandler.sendToOtherRegistry.selector
            || selector == RelayHandler.sendOnOtherChain.selector || _isNoCall(selector);
    }

    function _isNeverRefused(bytes4 selector) private pure returns (bool) {
        return selector == RecoveryHandler.recover.selector || _isNoCall(selector);
    }

    function _isNoCall(bytes4 selector) private pure returns (bool) {
        return selector == IssuerHandler.passTime.selector || selector == KeyHandler.steal.selector
            || selector == RelayHandler.signAnchor.selector || selector == RelayHandler.signStatus.selector
            || selector == RelayHandler.signBatchRevocation.selector;
    }

    /// @dev The first eleven of issuers and time, the next eight of keys, the others of relayers.
    function _selectors() private pure returns (bytes4[] memory all) {
        bytes4[25] memory list = [
            IssuerHandler.changeRole.selector,
            IssuerHandler.accredit.selector,
            IssuerHandler.withdraw.selector,
            IssuerHandler.offerControl.selector,
            IssuerHandler.acceptControl.selector,
            IssuerHandler.addKey.selector,
            IssuerHandler.rebindKey.selector,
            IssuerHandler.retireKey.selector,
            IssuerHandler.compromiseKey.selector,
            IssuerHandler.cancelNonces.selector,
            IssuerHandler.passTime.selector,
            KeyHandler.anchor.selector,
            KeyHandler.anchorBareRoot.selector,
            KeyHandler.revoke.selector,
            KeyHandler.suspend.selector,
            KeyHandler.reinstate.selector,
            KeyHandler.revokeBatch.selector,
            KeyHandler.steal.selector,
            RecoveryHandler.recover.selector,
            RelayHandler.signAnchor.selector,
            RelayHandler.signStatus.selector,
            RelayHandler.signBatchRevocation.selector,
            RelayHandler.send.selector,
            RelayHandler.sendToOtherRegistry.selector,
            RelayHandler.sendOnOtherChain.selector
        ];
        all = new bytes4[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            all[i] = list[i];
        }
    }

    function _handlerOf(uint256 choice) private view returns (Handler) {
        if (choice < 11) return _issuers;
        return choice < 19 ? Handler(_keys) : Handler(_relayers);
    }

    function _digits(uint256 number) private pure returns (bytes2) {
        return bytes2(uint16((0x30 + number / 10) << 8 | (0x30 + number % 10)));
    }

    function _hash(bytes32 random, uint256 i) private pure returns (bytes32) {
        return keccak256(abi.encode(random, i));
    }
}
