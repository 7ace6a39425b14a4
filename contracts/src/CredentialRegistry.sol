// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";

import {Batches} from "./parts/Batches.sol";
import {StatusLists} from "./parts/StatusLists.sol";

/// @title The credential registry
/// @notice The only deployable; what it does and who may do it is in `ICredentialRegistry`. Not upgradeable, holds no
/// ether, calls nothing but ERC-1271 signers. Has no immutables: every deployment has the same runtime code.
///
/// Storage, for state proofs (a mapping's entry is at `keccak256(abi.encode(key, slot))`, nested ones likewise from there;
/// snapshots/storage-layout.json is the compiler's word on it, and is checked):
///
/// | Slot | Holds                                                                | Part          |
/// |------|----------------------------------------------------------------------|---------------|
/// | 0    | registry-wide head                                                   | `Heads`       |
/// | 1-3  | roles, default admin and its delay                                   | OpenZeppelin  |
/// | 4    | issuers: uint32 => `Issuer`, 3 slots                                 | `Issuers`     |
/// | 5    | issuer of a DID: bytes32 didHash => uint32                           | `Issuers`     |
/// | 6    | issuer count: uint32                                                 | `Issuers`     |
/// | 7    | pending controllers: uint32 issuer => address                        | `Issuers`     |
/// | 8    | keys: address => `Key`, 1 slot                                       | `Keys`        |
/// | 9    | nonces of relayed calls: address signer => uint256                   | `Keys`        |
/// | 10   | batches: uint32 issuer => bytes32 root => `Batch`, 1 slot            | `Batches`     |
/// | 11   | revoked: uint32 issuer => uint16 epoch => uint32 list => uint16 word | `StatusLists` |
/// | 12   | suspended: likewise                                                  | `StatusLists` |
contract CredentialRegistry is Batches, StatusLists {
    /* CONSTRUCTOR */

    /// @param admin Grants and revokes roles; handed over in two steps, after a delay.
    /// @param accreditor First holder of `ACCREDITOR_ROLE`; may be the admin.
    /// @param adminDelay Seconds between the offer of the admin role and its acceptance.
    constructor(address admin, address accreditor, uint48 adminDelay)
        AccessControlDefaultAdminRules(adminDelay, admin)
    {
        if (accreditor == address(0)) {
            revert InvalidAccreditor(accreditor);
        }
        _grantRole(ACCREDITOR_ROLE, accreditor);
    }
}
